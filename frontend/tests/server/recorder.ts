/**
 * Runs in the page before anything else, and records what appears and disappears between checks.
 */

/** Each list has one value per change. */
export interface Seen {
  /** The length of the answer's text. */
  lengths: number[];
  /** The text beside and below the answer: notes, and the waiting words. */
  notes: string[];
  /** The state of the wire's head. */
  wires: string[];
  /** What a screen reader announced. */
  said: string[];
  /** The number of nodes and edges in the drawing. */
  parts: number[];
  /** The number of questions that could be answered while more were being written. */
  answerable: number[];
  /** Violations of the content security policy. */
  violations: string[];
}

/** Sent as source text, so it must not use anything from outside. */
export function record(): void {
  const seen: Seen = { lengths: [], notes: [], wires: [], said: [], parts: [], answerable: [], violations: [] };
  (window as unknown as { seen: Seen }).seen = seen;
  const note = <T>(list: T[], value: T | undefined | null) => {
    if (value !== undefined && value !== null && value !== list.at(-1)) list.push(value);
  };
  const look = () => {
    const answer = document.querySelector('.answer');
    if (!answer) return;
    const isLive = answer.getAttribute('aria-busy') === 'true';
    if (!answer.querySelector('.waiting')) note(seen.lengths, answer.textContent?.trim().length);
    note(seen.wires, document.querySelector<HTMLElement>('.wire')?.dataset['state']);
    note(seen.said, document.querySelector('.block [role=status]')?.textContent?.trim());
    for (const words of document.querySelectorAll('.note, .waiting')) note(seen.notes, words.textContent);
    const parts = [...document.querySelectorAll<SVGElement>('.diagram-board [data-part]')];
    note(seen.parts, new Set(parts.map((part) => part.dataset['part'])).size);
    if (isLive) note(seen.answerable, document.querySelectorAll('.quiz-question:has(input)').length);
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['data-state', 'aria-busy'],
  });
  document.addEventListener('securitypolicyviolation', (event) => {
    seen.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  });
}
