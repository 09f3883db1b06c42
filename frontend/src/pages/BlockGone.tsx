import { WaysOn } from './NotFound';

/** Shown at the address of a block that is switched off or never existed. */
export function BlockGone() {
  return (
    <div className="page-empty">
      <h1>This block doesn’t exist</h1>
      <p>It may have been turned off. Its answers are still in your history.</p>
      <WaysOn />
    </div>
  );
}
