// RUN: lamina-opt %s -p te-simplify | filecheck %s

// CHECK-LABEL: @extents_decide_divisions
// CHECK: axes(co: 4, ci: 16, r: 40)
// CHECK-NEXT: ins(%x[co, ci, co floordiv 2, ci + (co mod 2) * 16, r floordiv 16])
func.func @extents_decide_divisions(%x: memref<4x16x2x32x3xf32>, %y: memref<4x16x40xf32>) {
  te.compute axes(co: 4, ci: 16, r: 40)
    ins(%x[(co * 16 + ci) floordiv 16, (co * 16 + ci) mod 16, (co * 16 + ci) floordiv 32, (co * 16 + ci) mod 32, r floordiv 16])
    out(%y[co, ci, r]) init 0.0 : f32 : memref<4x16x2x32x3xf32>, memref<4x16x40xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @padding_that_cannot_happen_goes
// CHECK: axes(i: 8, reduce k: 3)
// CHECK-NEXT: ins(%x[i + k], %x[i + k + 1] pad 0.0, %x[i + k - 1] pad 0.0)
func.func @padding_that_cannot_happen_goes(%x: memref<10xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8, reduce k: 3)
    ins(%x[i + k] pad 0.0, %x[i + k + 1] pad 0.0, %x[i + k - 1] pad 0.0)
    out(%y[i]) init 0.0 : f32 : memref<10xf32>, memref<10xf32>, memref<10xf32>, memref<8xf32>
    (%a: f32, %b: f32, %c: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// The bound keeps `ji + jo * 4` below 10, so `ji + jo * 4 + k` stays below 12.
// CHECK-LABEL: @a_bound_can_rule_padding_out
// CHECK: where ji + jo * 4 < 10
// CHECK-NEXT: ins(%x[ji + jo * 4 + k])
func.func @a_bound_can_rule_padding_out(%x: memref<12xf32>, %y: memref<10xf32>) {
  te.compute axes(jo: 3, ji: 4, reduce k: 3) where ji + jo * 4 < 10
    ins(%x[ji + jo * 4 + k] pad 0.0) out(%y[ji + jo * 4]) init 0.0 : f32 : memref<12xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @a_bound_that_always_holds_goes
// CHECK: axes(i: 8, j: 4) where i + j < 9
// CHECK-NEXT: ins(
func.func @a_bound_that_always_holds_goes(%x: memref<8xf32>, %y: memref<8x4xf32>) {
  te.compute axes(i: 8, j: 4) where i < 8, i + j < 9, i + j + 3 < 14 ins(%x[i]) out(%y[i, j]) init 0.0 : f32 : memref<8xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_bound_of_one_axis_is_its_extent
// CHECK: axes(i: 3, k: 4)
// CHECK-NEXT: ins(%x[0, i])
func.func @a_bound_of_one_axis_is_its_extent(%x: memref<2x3xf32>, %y: memref<4x4xf32>) {
  te.compute axes(i: 4, k: 4) where i * 2 + 1 < 6, k < 4 ins(%x[i floordiv 3, i mod 3]) out(%y[i, k]) init 0.0 : f32 : memref<2x3xf32>, memref<4x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @an_axis_of_one_step_goes
// CHECK: axes(c: 8)
// CHECK-NEXT: ins(%x[0, c, 1])
func.func @an_axis_of_one_step_goes(%x: memref<1x8x2xf32>, %y: memref<1x8xf32>) {
  te.compute axes(n: 1, c: 8, reduce k: 1) ins(%x[n, c, k + 1]) out(%y[n, c]) init 0.0 : f32 : memref<1x8x2xf32>, memref<1x8xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @an_axis_that_the_schedule_names_stays
// CHECK: axes(n: 1, c: 8)
// CHECK-NEXT: ins(%x[0, c])
func.func @an_axis_that_the_schedule_names_stays(%x: memref<1x8xf32>, %y: memref<1x8xf32>) {
  te.compute axes(n: 1, c: 8, reduce k: 1) ins(%x[n, c]) out(%y[n, c]) init 0.0 : f32 schedule [parallel n]
    : memref<1x8xf32>, memref<1x8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @promises_decide_divisions_and_padding
// CHECK: axes(r: 4)
// CHECK-NEXT: ins(%rows[r] as i: 16, %one[0] as j: 1, %x[0, i, 0, i floordiv 8])
func.func @promises_decide_divisions_and_padding(%rows: memref<4xi32>, %one: memref<1xi32>, %x: memref<1x16x1x2xf32>, %y: memref<4xf32>) {
  te.compute axes(r: 4) ins(%rows[r] as i: 16, %one[0] as j: 1, %x[i floordiv 16, i mod 16, j, (i + 16) floordiv 8 - 2] pad 0.0) out(%y[r]) init 0.0 : f32
    : memref<4xi32>, memref<1xi32>, memref<1x16x1x2xf32>, memref<4xf32>
    (%i: i32, %j: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}
