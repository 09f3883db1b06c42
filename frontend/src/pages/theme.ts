/** The theme: light, dark, or the system's. The reader's choice is stored on the device. */
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'theme';

/** Returns the chosen theme; `system` if none was chosen or storage is blocked. */
export function readTheme(): Theme {
  try {
    const said = localStorage.getItem(KEY);
    return said === 'light' || said === 'dark' ? said : 'system';
  } catch {
    return 'system';
  }
}

/** Applies a theme to the page. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** Returns the theme and a function that changes it. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(readTheme);
  const choose = (next: Theme) => {
    setTheme(next);
    applyTheme(next);
    try {
      if (next === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Private windows may block storage; then the choice lasts as long as the page.
    }
  };
  return [theme, choose];
}
