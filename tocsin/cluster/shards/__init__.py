"""N nodes divide the series: what each of them opens, serves and looks after."""
