export interface MarkdownProps {
  text: string;
  /** Whether more will come: then a caret stands at the end. */
  isWriting: boolean;
}
