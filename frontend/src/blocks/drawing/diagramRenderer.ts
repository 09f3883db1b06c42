/** Draws diagrams with Mermaid, which is loaded for the first drawing. */
import type { Mermaid, MermaidConfig } from 'mermaid';
import { type DiagramDrawing, cleanDrawing } from './diagramSvg';
import { type Direction, toStandIns } from './drawnSource';
import { WIDEST_LABEL, narrowestWidth } from './labelWidth';
import { tokenRoot } from '../tokenRoot';
import '../../look/diagram.css';
import '../../look/drawing.css';

/** Deterministic and strict: labels as SVG text, no hand-drawn or random lines. */
export const DIAGRAM_CONFIG: MermaidConfig = {
  startOnLoad: false,
  securityLevel: 'strict',
  suppressErrorRendering: true,
  htmlLabels: false,
  markdownAutoWrap: false,
  deterministicIds: true,
  deterministicIDSeed: 'diagram',
  layout: 'dagre',
  look: 'classic',
  theme: 'base',
  flowchart: {
    htmlLabels: false,
    curve: 'rounded',
    useMaxWidth: false,
    minNodeWidth: 40,
    nodeSpacing: 44,
    rankSpacing: 48,
    padding: 16,
    wrappingWidth: WIDEST_LABEL,
    diagramPadding: 4,
  },
};

/** From left to right, narrow parts: their labels have two short lines instead of a long one. */
function settingsOf(source: string, direction: Direction): string {
  if (direction === 'TD') return '';
  const flowchart = { wrappingWidth: narrowestWidth(source), rankSpacing: 26, padding: 10 };
  return `%%{init: ${JSON.stringify({ flowchart })}}%%\n`;
}

/**
 * How long a drawing waits for the fonts it is measured in; after that it uses what is available.
 */
const FONTS_AT_MOST_MS = 1_000;

let loading: Promise<Mermaid> | undefined;

/**
 * Draws a diagram.
 *
 * @param source - must come from `diagramSource` or `flowchartSource`.
 * @param key - the prefix of ids in the drawing; different for each board on a page.
 * @throws Whatever prevented Mermaid from loading or drawing.
 *
 * Colours are CSS custom properties that resolve where the drawing is inserted, so a change of
 * theme needs no new drawing.
 */
export async function drawDiagram(source: string, key: string): Promise<DiagramDrawing> {
  const mermaid = await loadMermaid();
  const direction = source.startsWith('flowchart LR') ? 'LR' : 'TD';
  const draft = document.createElement('div');
  draft.className = 'diagram-draft diagram-drawing ai-block'; // has the fonts on pages of other sites, too
  draft.setAttribute('aria-hidden', 'true');
  document.body.append(draft);
  try {
    // Mermaid removes any element that has the id it draws under, so use a different one.
    const { svg } = await mermaid.render(`${key}-draft`, settingsOf(source, direction) + toStandIns(source), draft);
    return cleanDrawing(svg, key, direction);
  } finally {
    draft.remove();
  }
}

/**
 * Loads Mermaid and its fonts ahead of the first diagram.
 * It also draws once: Mermaid loads the code for flowcharts with the first one, and that would
 * delay the next drawing.
 */
export async function preloadMermaid(): Promise<void> {
  await drawDiagram('flowchart TD\n    n1[" "]\n', 'preload');
}

async function loadMermaid(): Promise<Mermaid> {
  loading ??= initialized();
  try {
    return await loading;
  } catch (reason) {
    // The next drawing tries again.
    loading = undefined;
    throw reason;
  }
}

async function initialized(): Promise<Mermaid> {
  const [{ default: mermaid }] = await Promise.all([import('mermaid'), fontsAreThere()]);
  const fontFamily = getComputedStyle(tokenRoot()).getPropertyValue('--ui').trim();
  mermaid.initialize({
    ...DIAGRAM_CONFIG,
    themeVariables: { fontSize: '15px', ...(fontFamily ? { fontFamily } : {}) },
  });
  return mermaid;
}

async function fontsAreThere(): Promise<void> {
  const wait = new Promise((resolve) => setTimeout(resolve, FONTS_AT_MOST_MS));
  // Without the font, labels would be measured in the fallback font.
  await Promise.race([wait, document.fonts?.load('500 15px "Instrument Sans"').catch(() => {})]);
}
