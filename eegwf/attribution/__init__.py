"""Attribution: which parts of the input a classifier's output depends on."""
