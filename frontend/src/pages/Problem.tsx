/** Shown in place of content that failed to load: what happened, and what to do. */
import type { ReactNode } from 'react';

import type { StreamProblem } from '@liveai/client';

export interface ProblemProps {
  /** One sentence about what failed to load. */
  title: string;
  problem: StreamProblem;
  /** If given, "Try again" is shown. */
  onAgain?(): void;
  children?: ReactNode;
}

export function Problem({ title, problem, onAgain, children }: ProblemProps) {
  return (
    <div className="page-problem" role="alert">
      <p>
        <b>{title}</b> {problem.message} <small>{problem.code}</small>
      </p>
      <div className="page-ways">
        {onAgain && (
          <button type="button" className="button button-strong" onClick={onAgain}>
            Try again
          </button>
        )}
        {children}
      </div>
    </div>
  );
}
