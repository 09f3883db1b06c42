/**
 * Tells staff how to configure a more capable model. Matches docs/start.md, "Another model".
 */
import { type ReactNode, useId, useRef } from 'react';

import { CopyButton } from '../blocks';

const OLLAMA = 'AI_MODEL=openai:llama3.2\nAI_BASE_URL=http://127.0.0.1:11434/v1\n';
const HOSTED = 'AI_MODEL=openai:gpt-4o-mini\nAI_API_KEY=sk-...\n';

export function BetterModel() {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  return (
    <>
      <button type="button" className="button-link" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        Use a better model
      </button>
      <dialog
        ref={dialog}
        className="better"
        aria-labelledby={titleId}
        closedby="any"
      >
        <div className="better-sheet">
          <h2 id={titleId}>Use a better model</h2>
          <p>
            The included model is very small: it lets you try everything without an account. If a model server runs on
            this machine, <code>scripts/run --model auto</code> uses a model of it. To choose one permanently, write two
            lines into a file named <code>.env</code> in the project’s folder, and restart the server.
          </p>
          <Lines title="Ollama on this machine" lines={OLLAMA}>
            vLLM, llama.cpp and LM Studio: the same, with their address.
          </Lines>
          <Lines title="A hosted API" lines={HOSTED}>
            OpenAI’s address is the default; for others, set <code>AI_BASE_URL</code>, too.
          </Lines>
          <p>Each block can have its own model: see the field “model” in the admin panel.</p>
          <button type="button" className="button button-strong" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </dialog>
    </>
  );
}

function Lines({ title, lines, children }: { title: string; lines: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      <pre>{lines.trimEnd()}</pre>
      <p>
        <span>{children}</span>
        <CopyButton text={lines}>Copy</CopyButton>
      </p>
    </section>
  );
}
