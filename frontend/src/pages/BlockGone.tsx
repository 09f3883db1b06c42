import { WaysOn } from './NotFound';

/** A block's address without a block: it was switched off, or never was. */
export function BlockGone() {
  return (
    <div className="page-empty">
      <h1>There is no such block</h1>
      <p>It may have been switched off. What it answered is still in your history.</p>
      <WaysOn />
    </div>
  );
}
