/** A remark plugin that gives the parsed tree the formulas back that `hideFormulas` has hidden. */
import type { Node } from './markdownTree';
import { type Formula, formulasIn, revealed } from './formulaSource';

/** The class of the `<code>` that a formula becomes: "language-", so that the sanitiser admits it. */
const FORMULA_CLASS = 'language-formula';

export function isFormulaClass(className: string | undefined): boolean {
  return className === FORMULA_CLASS;
}

/** Formulas are found in texts only. Code, addresses and HTML get their characters back. */
export function formulaNodes() {
  return (tree: Node): void => restore(tree);
}

function restore(node: Node): void {
  for (const name of ['value', 'url', 'title', 'alt', 'lang', 'meta', 'label'] as const) {
    const words = node[name];
    if (typeof words === 'string') node[name] = revealed(words);
  }
  node.children = node.children?.flatMap((child) => {
    if (child.type === 'text') {
      const parts = formulasIn(child.value ?? '');
      return parts.map((part) => (typeof part === 'string' ? { ...child, value: part } : formulaNode(part)));
    }
    restore(child);
    return [child];
  });
}

function formulaNode({ source }: Formula): Node {
  return {
    type: 'formula',
    data: { hName: 'code', hProperties: { className: [FORMULA_CLASS] }, hChildren: [{ type: 'text', value: source }] },
  };
}
