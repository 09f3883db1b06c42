/** The buttons for a diagram: copy, download, show as text. */
import { useState } from 'react';
import { useAnnounce } from '../announce';
import { CopyButton } from '../CopyButton';
import { download, pngOf, propertiesAt, standaloneSvg } from './diagramDownload';
import type { DiagramDrawing } from '../drawing/diagramSvg';
import { fileNameOf } from './diagramWords';

export interface DiagramToolsProps {
  source: string;
  title: string;
  drawing: DiagramDrawing | undefined;
  isText: boolean;
  onText(isText: boolean): void;
}

export function DiagramTools({ source, title, drawing, isText, onText }: DiagramToolsProps) {
  const announce = useAnnounce();
  const [hasFailed, setFailed] = useState(false);
  const save = async (kind: 'svg' | 'png') => {
    if (!drawing) return;
    try {
      const svg = standaloneSvg(drawing, propertiesAt(document.documentElement));
      const file = kind === 'png' ? await pngOf(svg) : new Blob([svg], { type: 'image/svg+xml' });
      download(file, fileNameOf(title, kind));
      setFailed(false);
      announce('Downloaded');
    } catch {
      setFailed(true);
      announce('Download failed');
    }
  };
  return (
    <>
      <CopyButton text={source}>Copy Mermaid code</CopyButton>
      <button type="button" className="button" disabled={!drawing} onClick={() => void save('svg')}>
        Download SVG
      </button>
      <button type="button" className="button" disabled={!drawing} onClick={() => void save('png')}>
        {hasFailed ? 'PNG failed' : 'Download PNG'}
      </button>
      <button type="button" className="button" aria-pressed={isText} onClick={() => onText(!isText)}>
        Show as text
      </button>
    </>
  );
}
