import { Link } from 'wouter';

import { usePage } from './usePage';

/** No page has this address. */
export function NotFound() {
  usePage('No such page');
  return (
    <div className="page-empty">
      <h1>There is no such page</h1>
      <p>The address may be mistyped, or what was here is gone.</p>
      <WaysOn />
    </div>
  );
}

/** Where to go from a dead end. */
export function WaysOn() {
  return (
    <p className="page-ways">
      <Link className="button button-strong" href="/">
        Ask something
      </Link>
      <Link className="button" href="/history">
        History
      </Link>
    </p>
  );
}
