/** Icons on a grid of 20, drawn with a line of 1.5 in the colour of the surrounding text. */
import type { ReactNode } from 'react';

import type { OutputName } from '@liveai/client';

export interface IconProps {
  /** Width and height in CSS pixels. Default: 19. */
  size?: number;
}

function Icon({ size = 19, children }: IconProps & { children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

/** A speech bubble, for a question and its answer. */
export function AskIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M3.5 4.5h13v9h-7L6 16.5v-3H3.5z" />
      <path d="M7 8h6M7 10.6h3.5" />
    </Icon>
  );
}

/** A kite, for "Explain like I’m 10". */
export function KiteIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="m10 2.5 5.5 6.5-5.5 4-5.5-4z" />
      <path d="M10 2.5V13c0 2-2 1.5-2 3.2 0 .8.5 1.3 1.2 1.3" />
    </Icon>
  );
}

/** A list with ticks, for a quiz. */
export function QuizIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="m3 5.2 1.4 1.4 2.4-2.8M3 11.7l1.4 1.4 2.4-2.8M9.5 5.5H17M9.5 12H17M9.5 16.5h4" />
    </Icon>
  );
}

/** Three boxes with lines, for a diagram. */
export function DiagramIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <rect x="7" y="2.5" width="6" height="4" rx="1" />
      <rect x="2" y="13.5" width="6" height="4" rx="1" />
      <rect x="12" y="13.5" width="6" height="4" rx="1" />
      <path d="M10 6.5V10M5 13.5V10h10v3.5" />
    </Icon>
  );
}

/** A sheet with lines, for a block that an admin added. */
export function BlockIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M5 2.5h7l3.5 3.5v11.5H5z" />
      <path d="M12 2.5V6h3.5M8 10h4.5M8 13.5h4.5" />
    </Icon>
  );
}

/** Braces, for an answer of named fields. */
export function FieldsIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M8 3.5c-2 0-2.5.8-2.5 2.3v2C5.5 9.3 4.8 10 3.5 10c1.3 0 2 .7 2 2.2v2c0 1.5.5 2.3 2.5 2.3" />
      <path d="M12 3.5c2 0 2.5.8 2.5 2.3v2c0 1.5.7 2.2 2 2.2-1.3 0-2 .7-2 2.2v2c0 1.5-.5 2.3-2.5 2.3" />
    </Icon>
  );
}

/** A clock that runs backwards, for history. */
export function HistoryIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M3 10a7 7 0 1 0 2.2-5.1L3 7M3 3v4h4M10 6.5v4l2.7 1.6" />
    </Icon>
  );
}

export function SunIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <circle cx="10" cy="10" r="3.3" />
      <path d="M10 2.5V4M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M15.3 4.7l-1 1M5.7 14.3l-1 1" />
    </Icon>
  );
}

export function MoonIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" />
    </Icon>
  );
}

/** A screen, for the system's theme. */
export function ScreenIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <rect x="2.5" y="4" width="15" height="9.5" rx="1.5" />
      <path d="M7 16.5h6" />
    </Icon>
  );
}

export function SearchIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <circle cx="9" cy="9" r="5" />
      <path d="m12.8 12.8 4 4" />
    </Icon>
  );
}

export function BinIcon(props: IconProps) {
  return (
    <Icon {...props}>
      <path d="M3.5 5.5h13M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 9v4.5M11.5 9v4.5" />
    </Icon>
  );
}

/** The product's mark: a wire with its head. */
export function Mark() {
  return (
    <svg width="30" height="14" viewBox="0 0 30 14" aria-hidden="true" focusable="false">
      <path d="M0 7h19" stroke="var(--soft)" strokeWidth="2" strokeLinecap="round" />
      <circle cx="23" cy="7" r="5" fill="var(--live-dot)" />
    </svg>
  );
}

const BY_SLUG: Record<string, (props: IconProps) => ReactNode> = {
  'ask-question': AskIcon,
  'explain-eli10': KiteIcon,
};
const BY_OUTPUT: Record<OutputName, (props: IconProps) => ReactNode> = {
  markdown: BlockIcon,
  quiz: QuizIcon,
  diagram: DiagramIcon,
  json: FieldsIcon,
};

/** The icon of a block type. Unknown types get the sheet. */
export function KindIcon({ slug, output, size }: IconProps & { slug: string; output?: OutputName }) {
  const Chosen = BY_SLUG[slug] ?? BY_OUTPUT[output ?? 'markdown'];
  return <Chosen size={size} />;
}
