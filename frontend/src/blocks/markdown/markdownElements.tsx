/** Our elements for markdown: plain ones, styled by the page's CSS. */
import { type ComponentProps, isValidElement, type ReactNode } from 'react';
import type { StreamdownProps } from 'streamdown';
import { MarkdownCode } from '../text/MarkdownCode';
import { CodeBlock } from './CodeBlock';
import { MathBlock } from './MathBlock';
import { MermaidBlock } from './MermaidBlock';
import { safeHref } from './markdownSafety';

type Components = NonNullable<StreamdownProps['components']>;
/** `node` is part of the syntax tree, not an attribute. */
type Props<Tag extends keyof React.JSX.IntrinsicElements> = ComponentProps<Tag> & { node?: unknown };

const NO_NODE = { node: undefined };

function plain<Tag extends keyof React.JSX.IntrinsicElements>(tag: Tag) {
  const Tag = tag as 'p';
  return function Plain(props: Props<'p'>) {
    return <Tag {...props} {...NO_NODE} />;
  };
}

function Link({ href, children }: Props<'a'>) {
  const address = safeHref(href);
  if (address === undefined) return <span>{children}</span>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
      {children}
    </a>
  );
}

function Table({ children, dir, lang }: Props<'table'>) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role -- it scrolls sideways, which must work by keyboard too
    <div className="table-scroll" role="group" aria-label="Table" tabIndex={0} dir={dir} lang={lang}>
      <table>{children}</table>
    </div>
  );
}

function TaskBox({ checked }: Props<'input'>) {
  return (
    <>
      <span className="task-box" data-done={Boolean(checked)} aria-hidden="true" />
      <span className="visually-hidden">{checked ? 'done: ' : 'to do: '}</span>
    </>
  );
}

function Pre({ children }: Props<'pre'>) {
  const code = codeOf(children);
  if (code.language === 'mermaid') return <MermaidBlock code={code.text} />;
  if (code.language === 'math') return <MathBlock code={code.text} />;
  return <CodeBlock code={code.text} language={code.language} />;
}

function InlineCode({ className, children }: Props<'code'>) {
  return <MarkdownCode className={className}>{children}</MarkdownCode>;
}

function codeOf(children: ReactNode): { text: string; language: string } {
  if (!isValidElement<{ className?: unknown; children?: ReactNode }>(children)) {
    return { text: textOf(children), language: '' };
  }
  const { className, children: inner } = children.props;
  const language = /\blanguage-(\S+)/u.exec(String(className ?? ''))?.[1] ?? '';
  return { text: textOf(inner), language };
}

function textOf(children: ReactNode): string {
  if (typeof children === 'string') return children;
  return Array.isArray(children) ? children.map(textOf).join('') : '';
}

const ELEMENTS = {
  ...Object.fromEntries(
    (['p', 'ul', 'ol', 'li', 'hr', 'strong', 'blockquote', 'sup', 'sub', 'section'] as const).map(
      (tag) => [tag, plain(tag)],
    ),
  ),
  ...Object.fromEntries((['thead', 'tbody', 'tr', 'th', 'td'] as const).map((tag) => [tag, plain(tag)])),
  a: Link,
  table: Table,
  input: TaskBox,
  pre: Pre,
  code: InlineCode,
};

const HEADINGS = ['h2', 'h3', 'h4', 'h5', 'h6'] as const;
const made = new Map<string, Components>();

/**
 * Returns the elements for an answer with these heading levels.
 *
 * The page's h1 is the prompt. The answer's headings start at h2 and skip no level, wherever the
 * model starts (often at `###`).
 *
 * @param levels - as returned by `headingLevels`. Equal levels return the same object, so that
 *   existing elements are not mounted again.
 */
export function elementsFor(levels: string): Components {
  const known = made.get(levels);
  if (known) return known;
  const headings = Object.fromEntries(
    ['1', '2', '3', '4', '5', '6'].map((level) => {
      const above = [...levels].filter((other) => other < level).length;
      return [`h${level}`, plain(HEADINGS[above] ?? 'h6')];
    }),
  );
  const elements = { ...ELEMENTS, ...headings } as Components;
  made.set(levels, elements);
  return elements;
}
