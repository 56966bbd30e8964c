// What is judged: instruction and response, as inert text.
import type { InstructionText } from "../api/types";
import { Said } from "../components/inert_text";

export function ItemView({ instruction, response }: { instruction: InstructionText; response: { text: string } }) {
  return (
    <>
      <section class="panel item" aria-labelledby="instruction-title">
        <h2 id="instruction-title" tabIndex={-1}>
          Instruction
        </h2>
        <Said text={instruction.text} />
        {instruction.input !== "" && (
          <div class="input">
            <h3>Input</h3>
            <Said text={instruction.input} />
          </div>
        )}
      </section>
      <section class="panel item" aria-labelledby="response-title">
        <h2 id="response-title">Response</h2>
        <Said text={response.text === "" ? "(empty)" : response.text} soft={response.text === ""} />
      </section>
    </>
  );
}
