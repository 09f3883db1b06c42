/** The client and its types: `@liveai/client`. Nothing here imports React; the hooks are in `react.ts`. */
export { Api } from './api';
export type {
  BlockInfo,
  Config,
  HistoryFilter,
  HistoryPage,
  OutputName,
  StreamResource,
  StreamSummary,
} from './api';
export { diagramData, jsonData, quizData } from './core/blockData';
export type { DiagramData, JsonData, QuizData, QuizQuestion } from './core/blockData';
export { diagramSource, escapeLabel } from './core/diagramSource';
export type { DiagramEdge, DiagramNode } from './core/diagramSource';
export type * from './core/events';
export type { StreamMetrics } from './core/metrics';
export type { StreamState, Thinking } from './core/state';
export { newRequestId, sitePath } from './environment';
export { ApiError } from './problem';
export { StreamClient } from './streamClient';
export type * from './types';
