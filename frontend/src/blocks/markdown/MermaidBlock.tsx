/** A fence of Mermaid: drawn once it is closed, if it is a flowchart. */
import { lazy, memo, Suspense } from 'react';
import { useIsCodeFenceIncomplete } from 'streamdown';
import { CodeBlock, type CodeBlockProps } from './CodeBlock';

// If the chunk can't be loaded, the code is shown.
const LazyFigure = lazy(() =>
  import('../drawing/FlowchartFigure').then(
    ({ FlowchartFigure }) => ({ default: FlowchartFigure }),
    () => ({ default: ({ children }: { children: React.ReactNode }) => children }),
  ),
);

export const MermaidBlock = memo(function MermaidBlock({ code }: Pick<CodeBlockProps, 'code'>) {
  const isOpen = useIsCodeFenceIncomplete();
  const block = <CodeBlock code={code} language="mermaid" />;
  if (isOpen) return block;
  return (
    <Suspense fallback={block}>
      <LazyFigure source={code}>{block}</LazyFigure>
    </Suspense>
  );
});
