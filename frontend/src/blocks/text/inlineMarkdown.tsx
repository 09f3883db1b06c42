/**
 * Code, bold, italics and formulas within a line. A lazy chunk: it parses like answers do.
 *
 * Nothing else of markdown has a meaning here: `1. 5`, `# x` and `<b>` are shown as written.
 */
import { cjk } from '@streamdown/cjk';
import { toJsxRuntime } from 'hast-util-to-jsx-runtime';
import type { ComponentProps, ReactNode } from 'react';
import { Fragment, jsx, jsxs } from 'react/jsx-runtime';
import rehypeSanitize from 'rehype-sanitize';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import remend from 'remend';
import { type Processor, unified } from 'unified';
import { MarkdownCode } from './MarkdownCode';
import { closingMarks } from './closingMarks';
import { formulaNodes } from './formulaNodes';
import { hideFormulas } from './formulaSource';
import { literalMarks } from './literalMarks';
import { type Node, type Source, allNodes, writtenAs } from './markdownTree';

const OTHER_CONSTRUCTS = [
  ...['headingAtx', 'setextUnderline', 'thematicBreak', 'list', 'blockQuote', 'codeIndented', 'codeFenced', 'definition'],
  ...['htmlFlow', 'htmlText', 'autolink', 'labelStartImage', 'labelStartLink', 'labelEnd', 'hardBreakEscape'],
];

const SCHEMA = {
  tagNames: ['em', 'strong', 'code'],
  attributes: { code: [['className', /^language-./u] as [string, RegExp]] },
};

const parser = unified()
  .use(remarkParse)
  .use(inlineOnly)
  .use(cjk.remarkPluginsBefore)
  .use(closingMarks)
  .use(literalMarks)
  .use(literalTexts)
  .use(formulaNodes as () => void)
  .use(remarkRehype)
  .use(rehypeSanitize, SCHEMA);

/**
 * Returns a line of text as React elements.
 *
 * @param isWriting - whether the text may grow; then open marks at its end are closed.
 */
export function inlineMarkdown(text: string, isWriting: boolean): ReactNode {
  const hidden = hideFormulas(text, isWriting);
  const source = isWriting ? remend(hidden, REPAIR) : hidden;
  const tree = parser.runSync(parser.parse(source), source);
  return toJsxRuntime(tree, { Fragment, jsx, jsxs, components: { code: Code } });
}

/** Bold, italics and code are closed. Nothing that was written is removed. */
const REPAIR = { links: false, images: false, htmlTags: false, katex: false, setextHeadings: false, comparisonOperators: false, strikethrough: false, singleTilde: false };

function Code({ className, children }: ComponentProps<'code'>) {
  return <MarkdownCode className={className}>{children}</MarkdownCode>;
}

function inlineOnly(this: Processor): void {
  const data = this.data() as { micromarkExtensions?: object[] };
  (data.micromarkExtensions ??= []).push({ disable: { null: OTHER_CONSTRUCTS } });
}

/**
 * Shows texts as written: `\d` and `&lt;` are what a question asks about. Only a mark may be escaped.
 */
function literalTexts() {
  return (tree: Node, file: Source): void => {
    for (const node of allNodes(tree)) {
      if (node.type === 'text' && node.position) node.value = writtenAs(node, file).replace(/\\(?=[*_`$])/gu, '');
      // A question may show lines of code, which markdown would join.
      const lines = node.type === 'inlineCode' ? /^```\w*\n(?<code>.*?)\n?```$/su.exec(writtenAs(node, file)) : null;
      if (lines) node.data = { hChildren: [{ type: 'text', value: lines.groups?.['code'] ?? '' }] };
    }
  };
}
