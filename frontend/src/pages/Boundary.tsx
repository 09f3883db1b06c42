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
        <h1>Something went wrong</h1>
        <p>
          Part of this page couldn’t be loaded; the site may have been updated while it was open. Running answers
          continue; nothing is lost.
        </p>
        <p className="page-ways">
          <button type="button" className="button button-strong" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      </div>
    );
  }
}
