/**
 * Replaces Mermaid's ELK layout (1.5 MB), which the pages never use.
 * They ask for dagre instead (`src/blocks/drawing/diagramRenderer.ts`). Mermaid calls `render` of
 * the layout that a diagram names.
 */
export function render(): never {
  throw new Error('The ELK layout is not part of these pages.');
}
