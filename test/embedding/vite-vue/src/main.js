import { createApp } from 'vue';
import App from './App.vue';

createApp(App, { picture: 'cat.png' }).mount('#root');
