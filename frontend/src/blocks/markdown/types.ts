export interface MarkdownProps {
  text: string;
  /** Whether more text will arrive; then a caret is shown at the end. */
  isWriting: boolean;
}
