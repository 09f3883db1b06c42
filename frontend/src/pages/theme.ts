/** Light, dark, or as the system has it; the reader's wish stays on the device. */
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'theme';

/** What was chosen; `system` where nothing was, or where nothing may be stored. */
export function readTheme(): Theme {
  try {
    const said = localStorage.getItem(KEY);
    return said === 'light' || said === 'dark' ? said : 'system';
  } catch {
    return 'system';
  }
}

/** Put a theme on the page. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** The theme and what chooses another. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  const choose = (next: Theme) => {
    setTheme(next);
    applyTheme(next);
    try {
      if (next === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Private windows may refuse to store: then it lasts as long as the page.
    }
  };
  return [theme, choose];
}
