/** Copies a text and confirms it. */
import { useEffect, useRef, useState } from 'react';
import { useAnnounce } from './announce';
import { copyText } from './copyText';

/** How long "Copied" is shown, in ms. */
const STANDS_MS = 2000;

export interface CopyButtonProps {
  /** What to copy. A function is called at the time of copying. */
  text: string | (() => string);
  /** Default: "Copy". */
  children?: string;
  className?: string;
}

export function CopyButton({ text, children = 'Copy', className = 'button' }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<string>();
  const announce = useAnnounce();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const words = (await copyText(typeof text === 'string' ? text : text())) ? 'Copied' : 'Copy failed';
    setOutcome(words);
    announce(words);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setOutcome(undefined), STANDS_MS);
  };
  return (
    <button type="button" className={`${className} copy`} onClick={() => void copy()}>
      {/* Both labels take up space, so that the button keeps its width. */}
      <span className="copy-words" data-shown={outcome === undefined} aria-hidden={outcome !== undefined}>
        {children}
      </span>
      <span className="copy-words" data-shown={outcome !== undefined} aria-hidden={outcome === undefined}>
        {outcome ?? 'Copied'}
      </span>
    </button>
  );
}
