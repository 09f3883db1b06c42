// The buttons that ask a model for a few tokens, and say in words what came of it.
document.addEventListener('click', async ({ target }) => {
  const button = target.closest?.('[data-model-test]');
  if (!button || button.disabled) return;
  const output = button.parentElement.querySelector('output');
  const field = button.dataset.field && document.getElementById(button.dataset.field);
  const body = new FormData();
  body.set('model', field ? field.value : '');
  body.set('csrfmiddlewaretoken', button.dataset.token);
  button.disabled = true;
  output.textContent = 'Asking the model…';
  try {
    const response = await fetch(button.dataset.modelTest, { method: 'POST', body });
    const isJson = /json/u.test(response.headers.get('Content-Type') ?? '');
    output.textContent = isJson ? wordsOf(await response.json()) : 'Your session has ended. Sign in again.';
  } catch {
    output.textContent = 'The site can’t be reached.';
  } finally {
    button.disabled = false;
  }
});

function wordsOf({ message, detail, advice, code }) {
  return [message ?? detail, advice, code && `(${code})`].filter(Boolean).join(' ');
}
