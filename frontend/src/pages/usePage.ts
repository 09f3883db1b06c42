/** What a change of page means to those who don't see it: its title, and where the focus goes. */
import { createContext, useContext, useEffect } from 'react';

const SITE = 'Live AI Blocks';

/** Whether the page at hand was gone to, and its readers are still to be told. */
export class Arrival {
  private page: string | undefined;
  private isDue = false;

  /**
   * A page is shown.
   *
   * @returns whether it was gone to: it is neither the first one nor the same as before.
   */
  at(page: string): boolean {
    if (this.page === page) return false;
    this.isDue = this.page !== undefined;
    this.page = page;
    return this.isDue;
  }

  /** Once true after each page that was gone to. */
  take(): boolean {
    const wasDue = this.isDue;
    this.isDue = false;
    return wasDue;
  }
}

export const ArrivalContext = createContext(new Arrival());

/**
 * Call in each page, with its title as soon as its heading is there.
 *
 * After a navigation the focus goes to the page's heading, so that it is read out and Tab goes on
 * from there. Not on the first load: there the reader begins where the browser puts him.
 *
 * @param title - undefined: still loading; empty: the product's name alone.
 */
export function usePage(title: string | undefined): void {
  const arrival = useContext(ArrivalContext);
  useEffect(() => {
    if (title === undefined) return;
    document.title = titleWords(title);
    if (!arrival.take()) return;
    // A page that has put the focus into its own field knows better.
    if (document.activeElement?.closest('main form')) return;
    const heading = document.querySelector<HTMLElement>('main h1');
    if (!heading) return;
    if (!heading.hasAttribute('tabindex')) heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [title, arrival]);
}

/** "Why is the sky blue? – Live AI Blocks". */
export function titleWords(title: string): string {
  const short = title.length > 70 ? `${title.slice(0, 69).trimEnd()}…` : title;
  return short === '' ? SITE : `${short} – ${SITE}`;
}
