/** A drawing as a file that stands alone: SVG with its colours, or PNG. */
import drawingCss from '../../look/drawing.css?raw';
import type { DiagramDrawing } from './diagramSvg';

const MARGIN = 24;
const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';
/** A picture is drawn at twice its size … */
const PNG_SCALE = 2;
/** … but no side longer than so many pixels: browsers refuse larger canvases. */
const PNG_LONGEST = 8_000;

/** The value of a custom property such as `--paper`. */
export type Property = (name: string) => string;

/** What holds where an element stands: its theme's colours and fonts. */
export function propertiesAt(element: Element): Property {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}

/** The drawing as the text of an SVG file, with the theme's colours in it and its paper behind it. */
export function standaloneSvg(drawing: DiagramDrawing, property: Property, css = drawingCss): string {
  const width = drawing.width + 2 * MARGIN;
  const height = drawing.height + 2 * MARGIN;
  const svg = drawing.svg.cloneNode(true) as SVGSVGElement;
  for (const part of svg.querySelectorAll('.is-new, .is-newest')) part.classList.remove('is-new', 'is-newest');
  const [x = 0, y = 0] = (svg.getAttribute('viewBox') ?? '').split(/[\s,]+/u).map(Number);
  svg.setAttribute('viewBox', `${x - MARGIN} ${y - MARGIN} ${width} ${height}`);
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));

  const style = document.createElementNS(SVG_NAMESPACE, 'style');
  style.textContent = css.replace(/var\((--[\w-]+)\)/gu, (_, name: string) => property(name) || 'initial');
  const paper = document.createElementNS(SVG_NAMESPACE, 'rect');
  const box = { x: x - MARGIN, y: y - MARGIN, width, height, fill: property('--raised') || '#fff' };
  for (const [name, value] of Object.entries(box)) paper.setAttribute(name, String(value));
  svg.prepend(style, paper);
  return wellFormed(new XMLSerializer().serializeToString(svg));
}

/** As a PNG. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  // A data URL: the page's policy allows no blob as an image.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const longest = Math.max(image.width, image.height, 1);
  const scale = Math.min(PNG_SCALE, PNG_LONGEST / longest);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  const context = canvas.getContext('2d');
  context?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = context && (await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png')));
  if (!blob) throw new Error('This browser gave no picture of the canvas.');
  return blob;
}

/** Hand a file to the browser's downloads. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: Firefox and Safari read it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Without halves of characters, and what XML has no place for. */
function wellFormed(text: string): string {
  return text.replace(/[\p{Surrogate}\ufffe\uffff]/gu, '\ufffd');
}
