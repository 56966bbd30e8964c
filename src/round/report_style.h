// The style sheet of the report: light and dark by the reader's setting, one column on a phone.
#pragma once

#include <string_view>

namespace cutd {

inline constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b2330;--soft:#5b6675;--line:#dfe3e9;--grid:#e9ecf1;
--accent:#2f62d0;--good:#137a4b;--good-back:#e3f4ea;--bad:#b3402f;--bad-back:#fbe9e5;--quiet-back:#eef0f4;--band:#2f62d014}
@media (prefers-color-scheme:dark){:root{--page:#12161d;--card:#1a2029;--text:#e6eaf0;--soft:#9aa6b6;--line:#2d3642;--grid:#262e39;
--accent:#7da6ff;--good:#5fce98;--good-back:#15352a;--bad:#f39a86;--bad-back:#3d231f;--quiet-back:#252d38;--band:#7da6ff1a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1060px;margin:0 auto;padding:28px 20px 56px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:38px 0 12px;letter-spacing:-.005em}
h3{font-size:.95rem;margin:0}
p{margin:0 0 10px}
.soft,.note,figcaption{color:var(--soft)}
.note{font-size:.88rem;max-width:92ch}
.pill{display:inline-block;padding:1px 9px;border-radius:99px;font-size:.78rem;font-weight:600;background:var(--quiet-back);color:var(--soft);
white-space:nowrap}
.pill.promoted,.pill.perfect,.pill.completed{background:var(--good-back);color:var(--good)}
.pill.rejected,.pill.failed,.pill.criticised{background:var(--bad-back);color:var(--bad)}
h1 .pill{vertical-align:middle;margin-left:6px;letter-spacing:0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin:20px 0 0}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:0}
.card .label{font-size:.82rem;color:var(--soft)}
.card .figure{font-size:1.45rem;font-weight:650;line-height:1.3;letter-spacing:-.02em;font-variant-numeric:tabular-nums;white-space:nowrap}
.card .figure .from{color:var(--soft);font-weight:400}
.card .under{font-size:.82rem;color:var(--soft)}
.plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px}
figure svg{display:block;width:100%;height:auto;margin:8px 0 2px;font-variant-numeric:tabular-nums}
figcaption{font-size:.82rem;line-height:1.45}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:8px 7px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft);font-size:.8rem}
tr:last-child td{border-bottom:0}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}
td .soft{font-size:.8rem}
th:first-child,td:first-child{padding-left:14px}th:last-child,td:last-child{padding-right:14px}
.out{color:var(--bad);font-weight:600}
.example{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0 0 12px;overflow:hidden}
.example header{padding:12px 16px;border-bottom:1px solid var(--line);display:flex;gap:10px;justify-content:space-between;align-items:baseline}
.example header b{overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr))}
.answer{padding:12px 16px}
.answer+.answer{border-left:1px solid var(--line)}
.answer .who{display:flex;gap:8px;align-items:center;font-size:.82rem;color:var(--soft);margin-bottom:6px}
.said{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.judged{margin-top:8px;padding-left:10px;border-left:3px solid var(--line);font-size:.88rem;color:var(--soft);overflow-wrap:anywhere;
unicode-bidi:isolate}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 18px;font-size:.88rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code,pre{font:.82rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
details{margin-top:14px}
summary{cursor:pointer;color:var(--accent);font-size:.9rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px;overflow-x:auto}
svg text{font-size:12px;fill:var(--soft)}
svg text.value{fill:var(--text);font-weight:600}
svg .grid{stroke:var(--grid)}
svg .edge{stroke:var(--line);stroke-dasharray:2 3}
svg .reference{stroke:var(--soft);stroke-dasharray:4 4;opacity:.7}
svg .whisker{stroke:var(--accent);stroke-width:1.6;fill:none}
svg .mark{fill:var(--accent);stroke:var(--accent);stroke-width:2}
svg .hollow{fill:var(--card)}
svg .untrained .mark{fill:var(--soft);stroke:var(--soft)}
svg .untrained .whisker{stroke:var(--soft)}
svg .line{stroke:var(--accent);stroke-width:1.8;fill:none;stroke-linejoin:round}
svg .dot{fill:var(--accent)}
svg .band{fill:var(--band)}
svg .box{fill:var(--card);stroke:var(--accent);stroke-width:1.6}
svg .median{stroke:var(--accent);stroke-width:3}
@media (max-width:720px){main{padding:20px 14px 40px}.plots,.pair{grid-template-columns:minmax(0,1fr)}
.answer+.answer{border-left:0;border-top:1px solid var(--line)}dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:8px}
.cards{grid-template-columns:repeat(2,minmax(0,1fr))}.card.wide{grid-column:span 2}svg text{font-size:14.5px}.card{padding:11px 13px}.card .figure{font-size:1.35rem}}
@media print{body{background:#fff}.card,figure,.example{break-inside:avoid}}
)css";

}  // namespace cutd
