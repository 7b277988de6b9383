// RUN: lamina-opt %s -p cse,dce,cse --time-passes 2>&1 | filecheck %s

// CHECK-LABEL: func.func @time_is_added_up_by_pass
// CHECK: time of passes: {{[0-9.]+}} s, verification included
// CHECK-DAG: {{[0-9.]+}} % {{ *}}{{[0-9.]+}} s  cse (2 runs)
// CHECK-DAG: {{[0-9.]+}} % {{ *}}{{[0-9.]+}} s  dce
func.func @time_is_added_up_by_pass() {
  func.return
}
