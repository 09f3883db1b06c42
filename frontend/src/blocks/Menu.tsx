/** A button that opens a menu of actions. */
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { useAnnounce } from './announce';
import '../look/menu.css';

/** How long the outcome of an action stands on the button, in ms. */
const STANDS_MS = 2000;

/** The room below the button that a menu needs, in px; with less it opens upwards. */
const ROOM = 240;
/** Its distance from the edge of the window, in px. */
const EDGE = 8;

export interface MenuItem {
  words: string;
  /** A second line, in small. */
  note?: string;
  /** May return the outcome in a word or two ("Copied"), which the button then shows for a moment. */
  act(): void | Promise<string | undefined>;
}

export interface MenuProps {
  /** The words on the button. */
  label: string;
  /** The button's name for screen readers, if the label is a sign. */
  name?: string;
  items: readonly MenuItem[];
  className?: string;
}

/**
 * The arrow keys, Home and End move, Enter chooses, Esc and Tab close. The focus returns to the
 * button. With one item only, the button is that item.
 */
export function Menu({ label, name, items, className = 'button' }: MenuProps) {
  const id = useId();
  const [open, setOpen] = useState<{ from: 'first' | 'last'; isUp: boolean }>();
  const [outcome, showOutcome] = useOutcome();
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!open) return;
    keepInWindow(list.current);
    itemsOf(box.current).at(open.from === 'first' ? 0 : -1)?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && !box.current?.contains(target)) setOpen(undefined);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);

  const [only, ...others] = items;
  if (only === undefined) return null;
  const isMenu = others.length > 0 || only.note !== undefined || name !== undefined;
  const show = (from: 'first' | 'last') => {
    const bottom = button.current?.getBoundingClientRect().bottom ?? 0;
    setOpen({ from, isUp: window.innerHeight - bottom < ROOM });
  };
  const close = () => {
    setOpen(undefined);
    button.current?.focus({ preventScroll: true });
  };
  const choose = (item: MenuItem) => {
    if (isMenu) close();
    showOutcome(item.act());
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Tab') return setOpen(undefined);
    if (event.key === 'Escape' && open) close();
    else if (!move(event.key, itemsOf(box.current)) && !(isMenu && !open && opens(event.key, show))) return;
    event.preventDefault();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys are those of the buttons inside
    <span className="menu" ref={box} onKeyDown={onKey}>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={outcome === undefined ? name : undefined}
        aria-haspopup={isMenu ? 'menu' : undefined}
        aria-expanded={isMenu ? open !== undefined : undefined}
        aria-controls={open && id}
        onClick={() => (isMenu ? (open ? close() : show('first')) : choose(only))}
      >
        {outcome ?? label}
        {isMenu && name === undefined && <i className="menu-sign" aria-hidden="true" />}
      </button>
      {open && (
        <span ref={list} className="menu-items" id={id} role="menu" aria-label={name ?? label} data-up={open.isUp || undefined}>
          {items.map((item) => (
            <button key={item.words} type="button" role="menuitem" tabIndex={-1} onClick={() => choose(item)}>
              {item.words}
              {item.note && <small>{item.note}</small>}
            </button>
          ))}
        </span>
      )}
    </span>
  );
}

/** Shows the outcome of the last action for a moment, and announces it. */
function useOutcome(): [string | undefined, (done: void | Promise<string | undefined>) => void] {
  const [outcome, setOutcome] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const announce = useAnnounce();
  useEffect(() => () => clearTimeout(timer.current), []);
  const show = (done: void | Promise<string | undefined>) => {
    void done?.then((words) => {
      if (words === undefined) return;
      setOutcome(words);
      announce(words);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setOutcome(undefined), STANDS_MS);
    });
  };
  return [outcome, show];
}

/** Moves a menu to the left that would leave the window at its right edge. */
function keepInWindow(list: HTMLElement | null): void {
  if (!list) return;
  const { left, right } = list.getBoundingClientRect();
  const over = right + EDGE - document.documentElement.clientWidth;
  if (over > 0) list.style.left = `${-Math.min(over, left - EDGE)}px`;
}

function itemsOf(box: HTMLElement | null): HTMLElement[] {
  return [...(box?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
}

function opens(key: string, show: (from: 'first' | 'last') => void): boolean {
  if (key === 'ArrowDown') show('first');
  else if (key === 'ArrowUp') show('last');
  else return false;
  return true;
}

/** Moves the focus within an open menu. */
function move(key: string, items: readonly HTMLElement[]): boolean {
  const at = items.findIndex((item) => item === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[key];
  if (to === undefined || items.length === 0) return false;
  items.at(to % items.length)?.focus();
  return true;
}
