import { Explained } from './explained.jsx';

export default function Page() {
  return <Explained picture="/cat.png" />;
}
