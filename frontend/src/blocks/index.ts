/** The blocks, and the parts that pages need. */
export { useAnnounce } from './announce';
export { Announcer } from './Announcer';
export { AskQuestionBlock } from './AskQuestionBlock';
export { BlockFor } from './BlockFor';
export { BlockShell, type BlockShellProps } from './BlockShell';
export { Composer, type ComposerProps } from './Composer';
export { CopyButton, type CopyButtonProps } from './CopyButton';
export { DiagramBlock } from './DiagramBlock';
export { type Draft, type DraftHandle, forgetPrompt, useDraft } from './draft';
export { ExplainELI10Block } from './ExplainELI10Block';
export { modelName, transportName } from './Facts';
export { GenericBlock } from './GenericBlock';
export { kindOf } from './kinds';
export { answersKey, forgetAnswers, saveAnswers, score, scoreWords } from './quiz/quizAnswers';
export { QuizBlock } from './QuizBlock';
export { RefreshSiteContext, type Site, SiteContext, useSite } from './site';
export type { BlockProps, Example } from './types';
export { WireMark, type WireState } from './Wire';
