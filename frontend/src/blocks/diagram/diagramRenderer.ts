/** Draws the text of a diagram with Mermaid, which is fetched when the first one is to be drawn. */
import type { Mermaid, MermaidConfig } from 'mermaid';
import { type DiagramDrawing, cleanDrawing } from './diagramSvg';
import { toStandIns } from './drawnSource';
import '../../look/diagram.css';
import '../../look/drawing.css';

/** The same every time: strict, labels as SVG text, no hand-drawn or random lines. */
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
    wrappingWidth: 190,
    diagramPadding: 4,
  },
};

/** So long a drawing waits for the fonts that it is measured in; then it takes what is there. */
const FONTS_AT_MOST_MS = 1_000;

let loading: Promise<Mermaid> | undefined;

/**
 * @param source - made by `diagramSource` and nothing else.
 * @param key - begins the ids within the drawing; another for each board of a page.
 * @throws Whatever kept Mermaid from coming or from drawing.
 *
 * The colours are CSS custom properties that hold wherever the drawing is put: nothing has to be
 * drawn anew when the theme changes.
 */
export async function drawDiagram(source: string, key: string): Promise<DiagramDrawing> {
  const mermaid = await loadMermaid();
  const draft = document.createElement('div');
  draft.className = 'diagram-draft diagram-drawing';
  draft.setAttribute('aria-hidden', 'true');
  document.body.append(draft);
  try {
    // An id of its own: Mermaid removes whatever in the page has the one that it draws under.
    const { svg } = await mermaid.render(`${key}-draft`, toStandIns(source), draft);
    return cleanDrawing(svg, key);
  } finally {
    draft.remove();
  }
}

/**
 * Fetches Mermaid and its fonts ahead of the first thing to draw. It draws, too: Mermaid fetches what
 * flowcharts need with the first of them, and so slow a drawing would hold up the next.
 */
export async function preloadMermaid(): Promise<void> {
  await drawDiagram('flowchart TD\n    n1[" "]\n', 'preload');
}

async function loadMermaid(): Promise<Mermaid> {
  loading ??= initialized();
  try {
    return await loading;
  } catch (reason) {
    // The next drawing asks for it anew.
    loading = undefined;
    throw reason;
  }
}

async function initialized(): Promise<Mermaid> {
  const [{ default: mermaid }] = await Promise.all([import('mermaid'), fontsAreThere()]);
  const fontFamily = getComputedStyle(document.documentElement).getPropertyValue('--ui').trim();
  mermaid.initialize({
    ...DIAGRAM_CONFIG,
    themeVariables: { fontSize: '15px', ...(fontFamily ? { fontFamily } : {}) },
  });
  return mermaid;
}

async function fontsAreThere(): Promise<void> {
  const wait = new Promise((resolve) => setTimeout(resolve, FONTS_AT_MOST_MS));
  // Without the font labels are measured in the one that stands in for it.
  await Promise.race([wait, document.fonts?.load('500 15px "Instrument Sans"').catch(() => {})]);
}
