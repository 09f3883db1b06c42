import { WaysOn } from './NotFound';

/** Shown at the address of a block that is switched off or never existed. */
export function BlockGone() {
  return (
    <div className="page-empty">
      <h1>There is no such block</h1>
      <p>It may have been switched off. What it answered is still in your history.</p>
      <WaysOn />
    </div>
  );
}
