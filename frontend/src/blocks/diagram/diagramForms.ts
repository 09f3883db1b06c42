/** The forms in which a diagram can be copied or downloaded. */
import type { DiagramData } from '@liveai/client';
import { toCopy, toDownload } from '../answerForms';
import type { DiagramDrawing } from '../drawing/diagramSvg';
import type { MenuItem } from '../Menu';
import { plainText } from '../text/plainText';
import { tokenRoot } from '../tokenRoot';
import { pngOf, propertiesAt, standaloneSvg } from './diagramDownload';

export function diagramCopies(data: DiagramData): MenuItem[] {
  return [toCopy('Copy text', diagramText(data)), toCopy('Copy Mermaid code', data.source)];
}

/** @param drawing - undefined if it could not be drawn; then there are no pictures. */
export function diagramDownloads(data: DiagramData, name: string, drawing: DiagramDrawing | undefined): MenuItem[] {
  const pictures = drawing && [
    toDownload('Download SVG', name, 'svg', async () => new Blob([svgOf(drawing)], { type: 'image/svg+xml' })),
    toDownload('Download PNG', name, 'png', () => pngOf(svgOf(drawing))),
  ];
  return [
    ...(pictures ?? []),
    toDownload('Download Mermaid code', name, 'mmd', data.source),
    toDownload('Download text', name, 'txt', diagramText(data)),
  ];
}

/** The steps, then the links between them. */
export function diagramText({ title, nodes, edges }: DiagramData): string {
  const labels = new Map(nodes.map(({ id, label }) => [id, plainText(label)]));
  const steps = [...labels.values()].map((label, index) => `${index + 1}. ${label}`);
  const links = edges.map(({ from, to, label }) => {
    const words = label ? `: ${plainText(label)}` : '';
    return `${labels.get(from) ?? from} → ${labels.get(to) ?? to}${words}`;
  });
  return [title && plainText(title), steps.join('\n'), links.join('\n')].filter(Boolean).join('\n\n') + '\n';
}

function svgOf(drawing: DiagramDrawing): string {
  return standaloneSvg(drawing, propertiesAt(tokenRoot()));
}
