/** A block of code. It is highlighted and can be copied once its fence is closed. */
import { memo, useEffect, useState } from 'react';
import { useIsCodeFenceIncomplete } from 'streamdown';
import { CopyButton } from '../CopyButton';
import type { CodePiece } from './highlight';

export interface CodeBlockProps {
  code: string;
  /** As given after the fence; '' if there is none. */
  language: string;
}

export const CodeBlock = memo(function CodeBlock({ code, language }: CodeBlockProps) {
  const isOpen = useIsCodeFenceIncomplete();
  const text = code.replace(/\n+$/u, '');
  const pieces = usePieces(text, language, !isOpen);
  return (
    <figure className="code-block">
      <figcaption>
        <span>{language || 'code'}</span>
        {!isOpen && <CopyButton text={text} className="button-link" />}
      </figcaption>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- it scrolls sideways, which must work by keyboard too */}
      <pre tabIndex={0} role="group" aria-label={language ? `Code, ${language}` : 'Code'} dir="ltr">
        <code>
          {pieces?.map((piece, index) =>
            piece.kind === undefined ? (
              piece.text
            ) : (
              <span key={index} className={`code-${piece.kind}`}>
                {piece.text}
              </span>
            ),
          ) ?? text}
        </code>
      </pre>
    </figure>
  );
});

function usePieces(code: string, language: string, isClosed: boolean): readonly CodePiece[] | undefined {
  const [done, setDone] = useState<{ code: string; pieces: readonly CodePiece[] }>();
  useEffect(() => {
    if (!isClosed || language === '') return undefined;
    let isCurrent = true;
    import('./highlight')
      .then(({ highlight }) => isCurrent && setDone({ code, pieces: highlight(code, language) }))
      .catch(() => undefined); // without highlighting it is still readable
    return () => {
      isCurrent = false;
    };
  }, [code, language, isClosed]);
  return isClosed && done?.code === code ? done.pieces : undefined;
}
