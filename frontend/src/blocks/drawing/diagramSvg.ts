/** Cleans Mermaid's output for the page: only shapes, lines and texts remain. */
import DOMPurify from 'dompurify';
import { directionOf } from '../text/writing';
import { type Direction, fromStandIns } from './drawnSource';

export interface DiagramDrawing {
  /**
   * Sanitised, without colours. Parts have a `data-part`: `n1` for a node, `L_n1_n2_0` for an edge.
   */
  svg: SVGSVGElement;
  /** The natural size in CSS pixels. */
  width: number;
  height: number;
  direction: Direction;
}

// Stricter than DOMPurify's SVG profile: no style (it can load resources), image, link, use or
// filter, and no HTML.
const TAGS = ['svg', 'g', 'path', 'rect', 'polygon', 'circle', 'ellipse', 'marker', 'text', 'tspan', '#text'];
const ATTRIBUTES = [
  ...['id', 'class', 'data-id', 'transform', 'viewBox', 'width', 'height', 'd', 'points', 'x', 'y', 'dx', 'dy'],
  ...['cx', 'cy', 'r', 'rx', 'ry', 'text-anchor', 'marker-start', 'marker-end', 'refX', 'refY', 'markerUnits', 'markerWidth', 'markerHeight', 'orient'],
];

const CORNER = '9';

/**
 * @param markup - drawn by Mermaid under the id `<key>-draft`.
 * @throws TypeError if it contains no SVG.
 */
export function cleanDrawing(markup: string, key: string, direction: Direction = 'TD'): DiagramDrawing {
  const fragment = DOMPurify.sanitize(markup, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    KEEP_CONTENT: false,
    RETURN_DOM_FRAGMENT: true,
  });
  const svg = fragment.querySelector('svg');
  if (svg === null) throw new TypeError('Mermaid gave no SVG.');
  // These lines only keep unlinked parts in their place.
  for (const line of svg.querySelectorAll('.edge-thickness-invisible')) line.remove();
  nameParts(svg);
  nameArrowheads(svg, key);
  writeTexts(svg);
  for (const shape of svg.querySelectorAll('rect.label-container')) shape.setAttribute('rx', CORNER);
  const { width, height } = sizeOf(svg);
  svg.setAttribute('class', 'diagram-drawing');
  svg.setAttribute('width', String(width));
  svg.setAttribute('height', String(height));
  svg.setAttribute('role', 'img');
  return { svg, width, height, direction };
}

function nameParts(svg: SVGSVGElement): void {
  for (const edge of svg.querySelectorAll<SVGElement>('[data-id]')) {
    edge.dataset.part = edge.dataset.id;
    delete edge.dataset.id;
  }
  for (const node of svg.querySelectorAll<SVGElement>('.node[id]')) {
    const id = /-flowchart-(n\d+)-\d+$/.exec(node.id)?.[1];
    if (id !== undefined) node.dataset.part = id;
  }
  for (const element of [svg, ...svg.querySelectorAll(':not(marker)[id]')]) element.removeAttribute('id');
}

/** Keeps only the arrowheads in use, and renames them so that the next draft has no equal id. */
function nameArrowheads(svg: SVGSVGElement, key: string): void {
  const used = new Map<string, string>();
  for (const end of ['marker-start', 'marker-end']) {
    for (const line of svg.querySelectorAll(`[${end}]`)) {
      const id = /^url\(["']?#([\w-]+)["']?\)$/.exec(line.getAttribute(end) ?? '')?.[1];
      if (id === undefined) {
        line.removeAttribute(end);
        continue;
      }
      const name = used.get(id) ?? `${key}-arrow-${used.size}`;
      used.set(id, name);
      line.setAttribute(end, `url(#${name})`);
    }
  }
  for (const marker of svg.querySelectorAll('marker')) {
    const name = used.get(marker.id);
    if (name === undefined) marker.remove();
    else marker.id = name;
  }
}

function writeTexts(svg: SVGSVGElement): void {
  const texts = document.createTreeWalker(svg, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    node.nodeValue = fromStandIns(node.nodeValue ?? '');
  }
  for (const text of svg.querySelectorAll('text')) {
    for (const line of text.querySelectorAll(':scope > tspan:not(:last-child)')) line.append(blank());
    if (directionOf(text.textContent) === 'rtl') text.setAttribute('direction', 'rtl');
  }
}

/** A blank without a width, so that a label in lines is still words where it is copied or found. */
function blank(): SVGTSpanElement {
  const tspan = document.createElementNS('http://www.w3.org/2000/svg', 'tspan');
  tspan.style.fontSize = '0';
  tspan.textContent = ' ';
  return tspan;
}

function sizeOf(svg: SVGSVGElement): { width: number; height: number } {
  const [, , width, height] = (svg.getAttribute('viewBox') ?? '').split(/[\s,]+/).map(Number);
  return { width: isSize(width) ? width : 1, height: isSize(height) ? height : 1 };
}

function isSize(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
}
