"""The page of a run: one file that opens anywhere, drawn from the same model as every other report.

    RowReport, operations, logs ──▶ page.Page, plain data ──▶ render: a template, style and script in one file

Invariants:
* What is shown is said by `report.model`, `receipts`, `words` and `failure`; nothing is judged here.
* Every text of strangers passes `report.text.safe`, is escaped by the template or set as text by the script, and
  stands under a policy that runs no script but the page's own and loads nothing.
* A page is bounded, whatever the history; what it leaves out is counted and said.

The template library is imported by `render` alone, and `render` only by who writes a page.
"""
