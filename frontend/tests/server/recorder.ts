/** Runs in the page before anything else: notes what comes and goes while nobody looks. */

/** Each list holds a value for every change. */
export interface Seen {
  /** How long the answer's text was. */
  lengths: number[];
  /** What stood beside and under the answer: notes, and words while it waits. */
  notes: string[];
  /** How the wire's head looked. */
  wires: string[];
  /** What a screen reader was told. */
  said: string[];
  /** How many nodes and edges the drawing had. */
  parts: number[];
  /** How many questions could be answered while more were being written. */
  answerable: number[];
  /** Breaches of the content security policy. */
  violations: string[];
}

/** Taken as source: nothing from outside of it can be used in it. */
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
