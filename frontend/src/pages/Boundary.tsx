/** Keeps an error in one page from breaking the whole site. */
import { Component, type ReactNode } from 'react';

export interface BoundaryProps {
  children: ReactNode;
}

/** Needs a key that changes with the page, so that another page starts without the error. */
export class Boundary extends Component<BoundaryProps, { hasBroken: boolean }> {
  override state = { hasBroken: false };

  static getDerivedStateFromError() {
    return { hasBroken: true };
  }

  override render() {
    if (!this.state.hasBroken) return this.props.children;
    return (
      <div className="page-empty" role="alert">
        <h1>This page broke</h1>
        <p>
          A part of it could not be loaded or shown; perhaps the site was renewed while it was open. Nothing that was
          answered is lost, and an answer that is being written goes on.
        </p>
        <p className="page-ways">
          <button type="button" className="button button-strong" onClick={() => location.reload()}>
            Load it again
          </button>
        </p>
      </div>
    );
  }
}
