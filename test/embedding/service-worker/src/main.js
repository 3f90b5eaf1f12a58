const result = document.querySelector('#result');

async function explain() {
  navigator.serviceWorker.register('service-worker.js');
  if (!navigator.serviceWorker.controller) {
    await new Promise((resolve) => {
      navigator.serviceWorker.oncontrollerchange = resolve;
    });
  }
  const response = await fetch('explain?picture=cat.png');
  return response.text();
}

explain().then(
  (text) => {
    result.textContent = text;
  },
  (error) => {
    result.textContent = `failed: ${error.message}`;
  },
);
