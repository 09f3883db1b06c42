// Counts the wait of a refusal down, and holds its form back until then. Without this script, the
// page says how long the wait is, and the server refuses a form that comes too early.
{
  const wait = document.getElementById('wait');
  const form = document.querySelector('form');
  const button = form.querySelector('button');
  const until = Date.now() + 1000 * wait.dataset.seconds; // a timer would stop while a phone sleeps
  const timer = setInterval(tell, 250);

  // Not `disabled`: the button keeps the focus, and can be read while it waits.
  button.setAttribute('aria-disabled', 'true');
  form.addEventListener('submit', (event) => {
    if (Date.now() < until) event.preventDefault();
  });
  tell();

  function tell() {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) {
      const words = wordsOf(seconds);
      const shown = wait.querySelector('b');
      if (shown.textContent !== words) shown.textContent = words;
      return;
    }
    clearInterval(timer);
    wait.hidden = true;
    button.removeAttribute('aria-disabled');
    // Screen readers say it, once. The seconds before it stand in no live region.
    document.querySelector('[role=status]').textContent = 'You can try again now.';
  }

  /** As liveai/refused_page.py says it. */
  function wordsOf(seconds) {
    const minutes = Math.ceil(seconds / 60);
    const parts =
      seconds < 3600
        ? [[Math.floor(seconds / 60), 'minute'], [seconds % 60, 'second']]
        : [[Math.floor(minutes / 60), 'hour'], [minutes % 60, 'minute']];
    return parts.flatMap(([count, unit]) => (count ? `${count} ${unit}${count === 1 ? '' : 's'}` : [])).join(' ');
  }
}
