import type { ReactNode } from 'react';

import { type IconProps, MoonIcon, ScreenIcon, SunIcon } from '../look/icons';
import { type Theme, useTheme } from './theme';

const THEMES: readonly [Theme, string, (props: IconProps) => ReactNode][] = [
  ['system', 'System theme', ScreenIcon],
  ['light', 'Light', SunIcon],
  ['dark', 'Dark', MoonIcon],
];

/** Chooses the theme: system, light or dark. */
export function ThemeSwitch() {
  const [theme, choose] = useTheme();
  return (
    <fieldset className="rail-themes" aria-label="Theme">
      {THEMES.map(([name, label, Icon]) => (
        <button
          key={name}
          type="button"
          aria-label={label}
          aria-pressed={theme === name}
          title={label}
          onClick={() => choose(name)}
        >
          <Icon size={17} />
        </button>
      ))}
    </fieldset>
  );
}
