// The list says when there is more to see, and leaves it to the reader when to look.
const status = document.querySelector('[data-newest]');
async function look() {
  try {
    const mails = await (await fetch('/messages')).json();
    const more = mails.filter((mail) => mail.number > status.dataset.newest).length;
    if (more && !status.textContent) {
      const link = document.createElement('a');
      link.href = '/';
      link.textContent = 'There are new e-mails. Show them';
      status.append(link);
    }
  } catch { /* the local cloud was stopped; the page stays readable */ }
}
if (status) setInterval(look, 3000);
