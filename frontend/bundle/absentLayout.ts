/**
 * Stands in for Mermaid's ELK layout, whose 1.5 MB the pages never use: they ask for dagre
 * (`src/blocks/diagram/diagramRenderer.ts`). Mermaid calls `render` of a layout that a diagram asks for.
 */
export function render(): never {
  throw new Error('The ELK layout is not part of these pages.');
}
