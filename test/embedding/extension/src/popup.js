chrome.runtime.sendMessage({ picture: chrome.runtime.getURL('cat.png') }).then((text) => {
  document.querySelector('#result').textContent = text;
});
