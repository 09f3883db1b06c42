import { useAIBlockStreaming } from '@liveai/client/react';

export function AskAnything() {
  const { data, submit, stop, isLoading, error } = useAIBlockStreaming('ask-question');
  return (
    <form action={(form) => void submit(String(form.get('prompt')))}>
      <input name="prompt" aria-label="Your question" required />
      {isLoading ? <button type="button" onClick={stop}>Stop</button> : <button>Ask</button>}
      <p aria-busy={isLoading}>{data}</p>
      {error && <p role="alert">{error.message}</p>}
    </form>
  );
}
