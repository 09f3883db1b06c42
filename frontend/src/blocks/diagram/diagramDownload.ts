/** Exports a drawing as a self-contained file: SVG including its colours, or PNG. */
import drawingCss from '../../look/drawing.css?raw';
import type { DiagramDrawing } from '../drawing/diagramSvg';

const MARGIN = 24;
const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';
/** A PNG has twice the size of the drawing … */
const PNG_SCALE = 2;
/** … but at most this many pixels per side, because browsers refuse larger canvases. */
const PNG_LONGEST = 8_000;

/** Looks up a custom property such as `--paper`. */
export type Property = (name: string) => string;

/** Reads the custom properties of an element: its theme's colours and fonts. */
export function propertiesAt(element: Element): Property {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}

/** Returns the drawing as an SVG file, including the theme's colours and a background. */
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

/** Renders an SVG file as a PNG. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  // A data URL, because the page's policy allows no blob images.
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

/** Replaces lone surrogates and other characters that XML does not allow. */
function wellFormed(text: string): string {
  return text.replace(/[\p{Surrogate}\ufffe\uffff]/gu, '\ufffd');
}
