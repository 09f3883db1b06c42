/** Announces a change of page to screen readers: sets the title and moves the focus. */
import { createContext, useContext, useEffect } from 'react';

const SITE = 'Live AI Blocks';

/** Whether the reader navigated to the current page, and the page has yet to announce itself. */
export class Arrival {
  private page: string | undefined;
  private isDue = false;

  /**
   * Records that a page is shown.
   *
   * @returns whether the reader navigated: it is neither the first page nor the same as before.
   */
  at(page: string): boolean {
    if (this.page === page) return false;
    this.isDue = this.page !== undefined;
    this.page = page;
    return this.isDue;
  }

  /** Returns true once after each navigation. */
  take(): boolean {
    const wasDue = this.isDue;
    this.isDue = false;
    return wasDue;
  }
}

export const ArrivalContext = createContext(new Arrival());

/**
 * Call it in each page, with the title as soon as its heading exists.
 *
 * After a navigation the page's heading receives the focus, so that it is read out and Tab
 * continues from there. On the first load the browser decides where the reader starts.
 *
 * @param title - undefined while loading; empty for the product's name alone.
 */
export function usePage(title: string | undefined): void {
  const arrival = useContext(ArrivalContext);
  useEffect(() => {
    if (title === undefined) return;
    document.title = titleWords(title);
    if (!arrival.take()) return;
    // The page has focused its own field, which is more useful.
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
