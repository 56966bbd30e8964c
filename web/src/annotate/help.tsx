import { Dialog } from "../components/dialog";
import { kKeys } from "./keys";

interface Props {
  singleKeys: boolean;
  onSingleKeys: (on: boolean) => void;
  onClose: () => void;
}

export function Help({ singleKeys, onSingleKeys, onClose }: Props) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <table class="keys">
        <thead class="hidden-visually">
          <tr>
            <th scope="col">key</th>
            <th scope="col">does</th>
          </tr>
        </thead>
        <tbody>
          {kKeys.map((line) => (
            <tr key={line.keys}>
              <th scope="row">
                {line.keys.split(" ").map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </th>
              <td class="wrap left">{line.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="check">
        <input type="checkbox" checked={singleKeys} onChange={(event) => onSingleKeys(event.currentTarget.checked)} />{" "}
        Single keys act outside the text field
      </label>
      <div class="actions">
        <button class="primary" onClick={onClose} autofocus>
          Close
        </button>
      </div>
    </Dialog>
  );
}
