"""Tables, figures and page of the report, and the records that they are made from."""
