/** A page or a part of it that could not be had: what happened, and what to do. */
import type { ReactNode } from 'react';

import type { StreamProblem } from '../ai';

export interface ProblemProps {
  /** A sentence of what could not be had. */
  title: string;
  problem: StreamProblem;
  /** Given: there is "Try again". */
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
