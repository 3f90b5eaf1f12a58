/** Light and dark: the system's until the button is pressed, then what was chosen, also next time. */

const KEY = 'fastcam-theme';

export function wireTheme(button: HTMLButtonElement): void {
  const { dataset } = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = localStorage.getItem(KEY);
  if (chosen) dataset['theme'] = chosen;
  const isDark = (): boolean => (dataset['theme'] ? dataset['theme'] === 'dark' : system.matches);
  const tell = (): void => {
    button.textContent = isDark() ? 'Light theme' : 'Dark theme';
  };
  button.addEventListener('click', () => {
    dataset['theme'] = isDark() ? 'light' : 'dark';
    localStorage.setItem(KEY, dataset['theme']);
    tell();
  });
  system.addEventListener('change', tell);
  tell();
}
