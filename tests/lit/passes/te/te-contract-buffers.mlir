// RUN: lamina-opt %s -p te-contract-buffers | filecheck %s

// CHECK-LABEL: @only_the_rows_of_a_step_are_kept
// CHECK: memref.alloc() : memref<2x16xf32>
// CHECK: loop.for %b < 8 {
// CHECK: out(%t[i, w])
// CHECK: ins(%t[kh, kw + w * 2])
func.func @only_the_rows_of_a_step_are_kept(%x: memref<16x18xf32>, %y: memref<8x8xf32>) {
  %t = memref.alloc() : memref<16x16xf32>
  loop.for %b < 8 {
    te.compute at(b = %b) axes(i: 2, w: 16, reduce k: 3) ins(%x[b * 2 + i, w + k]) out(%t[b * 2 + i, w]) init 0.0 : f32
      : memref<16x18xf32>, memref<16x16xf32>
      (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
    te.compute at(h = %b) axes(w: 8, reduce kh: 2, reduce kw: 2) ins(%t[h * 2 + kh, w * 2 + kw]) out(%y[h, w]) init 0xff800000 : f32
      : memref<16x16xf32>, memref<8x8xf32>
      (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  }
  func.return
}

// CHECK-LABEL: @the_last_steps_outside_the_loop_use_the_same_buffer
// CHECK: memref.alloc() : memref<4x3xf32>
// CHECK: out(%t[i, c])
// CHECK: ins(%t[i, c])
// CHECK: axes(i: 2, c: 3)
// CHECK: out(%t[i, c])
// CHECK: ins(%t[i, c])
func.func @the_last_steps_outside_the_loop_use_the_same_buffer(%x: memref<10x3xf32>, %y: memref<10x3xf32>) {
  %t = memref.alloc() : memref<10x3xf32>
  loop.for %b < 2 {
    te.compute at(b = %b) axes(i: 4, c: 3) ins(%x[b * 4 + i, c]) out(%t[b * 4 + i, c]) init 0.0 : f32 : memref<10x3xf32>, memref<10x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(i: 4, c: 3) ins(%t[b * 4 + i, c]) out(%y[b * 4 + i, c]) init 0.0 : f32 : memref<10x3xf32>, memref<10x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  te.compute axes(i: 2, c: 3) ins(%x[i + 8, c]) out(%t[i + 8, c]) init 0.0 : f32 : memref<10x3xf32>, memref<10x3xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 2, c: 3) ins(%t[i + 8, c]) out(%y[i + 8, c]) init 0.0 : f32 : memref<10x3xf32>, memref<10x3xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @each_step_of_a_parallel_loop_has_a_slice
// CHECK: memref.alloc() : memref<2x4x3xf32>
// CHECK: loop.for %t < 2 parallel {
// CHECK: out(%u[t, i, c])
// CHECK: ins(%u[s, i, c])
func.func @each_step_of_a_parallel_loop_has_a_slice(%x: memref<40x3xf32>, %y: memref<40x3xf32>) {
  %u = memref.alloc() : memref<40x3xf32>
  loop.for %t < 2 parallel {
    loop.for %b < 5 {
      te.compute at(t = %t, b = %b) axes(i: 4, c: 3) ins(%x[t * 20 + b * 4 + i, c]) out(%u[t * 20 + b * 4 + i, c]) init 0.0 : f32 : memref<40x3xf32>, memref<40x3xf32>
        (%a: f32, %acc: f32) { te.yield %a : f32 }
      te.compute at(s = %t, b = %b) axes(i: 4, c: 3) ins(%u[s * 20 + b * 4 + i, c]) out(%y[s * 20 + b * 4 + i, c]) init 0.0 : f32 : memref<40x3xf32>, memref<40x3xf32>
        (%a: f32, %acc: f32) { te.yield %a : f32 }
    }
  }
  func.return
}

// CHECK-LABEL: @each_body_of_a_choice_has_the_slice_of_its_step
// CHECK: memref.alloc() : memref<2x1x3xf32>
// CHECK: loop.for %k < 2 parallel {
// CHECK: out(%u[k, 0, c])
// CHECK: ins(%u[k, 0, c])
// CHECK: } else {
// CHECK: te.compute at(b = %d, p0 = %k)
// CHECK: out(%u[p0, 0, c])
// CHECK: ins(%u[p0, 0, c])
func.func @each_body_of_a_choice_has_the_slice_of_its_step(%x: memref<7x3xf32>, %y: memref<7x3xf32>) {
  %u = memref.alloc() : memref<7x3xf32>
  loop.for %k < 2 parallel {
    loop.if %k < 1 {
      loop.for %b < 4 {
        te.compute at(k = %k, b = %b) axes(c: 3) ins(%x[k * 4 + b, c]) out(%u[k * 4 + b, c]) init 0.0 : f32 : memref<7x3xf32>, memref<7x3xf32>
          (%a: f32, %acc: f32) { te.yield %a : f32 }
        te.compute at(k = %k, b = %b) axes(c: 3) ins(%u[k * 4 + b, c]) out(%y[k * 4 + b, c]) init 0.0 : f32 : memref<7x3xf32>, memref<7x3xf32>
          (%a: f32, %acc: f32) { te.yield %a : f32 }
      }
    } else {
      loop.for %d < 3 {
        te.compute at(b = %d) axes(c: 3) ins(%x[b + 4, c]) out(%u[b + 4, c]) init 0.0 : f32 : memref<7x3xf32>, memref<7x3xf32>
          (%a: f32, %acc: f32) { te.yield %a : f32 }
        te.compute at(b = %d) axes(c: 3) ins(%u[b + 4, c]) out(%y[b + 4, c]) init 0.0 : f32 : memref<7x3xf32>, memref<7x3xf32>
          (%a: f32, %acc: f32) { te.yield %a : f32 }
      }
    }
  }
  func.return
}

// Blocks of 16 inside blocks of rows; the inner loop belongs to the writer alone.
// CHECK-LABEL: @blocks_one_after_the_other_in_a_step_use_the_same_part
// CHECK: memref.alloc() : memref<1x4xf32>
// CHECK: loop.for %b < 5 {
// CHECK: out(%t[0, w])
// CHECK: loop.for %c < 4 {
// CHECK: ins(%t[0, c])
// CHECK: out(%t[0, w])
// CHECK: loop.for %d < 3 {
// CHECK: ins(%t[0, c])
func.func @blocks_one_after_the_other_in_a_step_use_the_same_part(%x: memref<5x7xf32>, %y: memref<5x7xf32>) {
  %t = memref.alloc() : memref<5x7xf32>
  loop.for %b < 5 {
    te.compute at(b = %b) axes(w: 4) ins(%x[b, w]) out(%t[b, w]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    loop.for %c < 4 {
      te.compute at(b = %b, c = %c) axes() ins(%t[b, c]) out(%y[b, c]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
        (%a: f32, %acc: f32) { te.yield %a : f32 }
    }
    te.compute at(b = %b) axes(w: 3) ins(%x[b, w + 4]) out(%t[b, w + 4]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    loop.for %d < 3 {
      te.compute at(b = %b, c = %d) axes() ins(%t[b, c + 4]) out(%y[b, c + 4]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
        (%a: f32, %acc: f32) { te.yield %a : f32 }
    }
  }
  func.return
}

// CHECK-LABEL: @a_read_of_what_two_ops_wrote_keeps_all
// CHECK: memref.alloc() : memref<5x7xf32>
func.func @a_read_of_what_two_ops_wrote_keeps_all(%x: memref<5x7xf32>, %y: memref<5x7xf32>) {
  %t = memref.alloc() : memref<5x7xf32>
  loop.for %b < 5 {
    te.compute at(b = %b) axes(w: 4) ins(%x[b, w]) out(%t[b, w]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(w: 3) ins(%x[b, w + 4]) out(%t[b, w + 4]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(c: 7) ins(%t[b, c]) out(%y[b, c]) init 0.0 : f32 : memref<5x7xf32>, memref<5x7xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// CHECK-LABEL: @loops_of_one_op_alone_do_not_count
// CHECK: memref.alloc() : memref<4x1x16xf32>
// CHECK: out(%t[c, 0, v])
// CHECK: ins(%t[k floordiv 16, 0, k mod 16])
func.func @loops_of_one_op_alone_do_not_count(%x: memref<4x8x16xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<4x8x16xf32>
  loop.for %r < 8 {
    loop.for %c < 4 {
      te.compute at(r = %r, c = %c) axes(v: 16) ins(%x[c, r, v]) out(%t[c, r, v]) init 0.0 : f32 : memref<4x8x16xf32>, memref<4x8x16xf32>
        (%a: f32, %acc: f32) { te.yield %a : f32 }
    }
    te.compute at(r = %r) axes(reduce k: 64) ins(%t[k floordiv 16, r, k mod 16]) out(%y[r]) init 0.0 : f32 : memref<4x8x16xf32>, memref<8xf32>
      (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  }
  func.return
}

// Step b + 1 needs what step b has written.
// CHECK-LABEL: @what_another_step_wrote_is_kept
// CHECK: memref.alloc() : memref<9x3xf32>
func.func @what_another_step_wrote_is_kept(%x: memref<9x3xf32>, %y: memref<8x3xf32>) {
  %t = memref.alloc() : memref<9x3xf32>
  loop.for %b < 8 {
    te.compute at(b = %b) axes(c: 3) ins(%x[b + 1, c]) out(%t[b + 1, c]) init 0.0 : f32 : memref<9x3xf32>, memref<9x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(c: 3) ins(%t[b, c]) out(%y[b, c]) init 0.0 : f32 : memref<9x3xf32>, memref<8x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// CHECK-LABEL: @a_reader_before_the_writer_or_with_padding_keeps_all
// CHECK: memref.alloc() : memref<8x3xf32>
// CHECK: memref.alloc() : memref<8x3xf32>
func.func @a_reader_before_the_writer_or_with_padding_keeps_all(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>) {
  %t = memref.alloc() : memref<8x3xf32>
  %u = memref.alloc() : memref<8x3xf32>
  loop.for %b < 8 {
    te.compute at(b = %b) axes(c: 3) ins(%t[b, c]) out(%y[b, c]) init 0.0 : f32 : memref<8x3xf32>, memref<8x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(c: 3) ins(%x[b, c]) out(%t[b, c]) init 0.0 : f32 : memref<8x3xf32>, memref<8x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(c: 3) ins(%x[b, c]) out(%u[b, c]) init 0.0 : f32 : memref<8x3xf32>, memref<8x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(b = %b) axes(c: 3) ins(%u[b, c + 1] pad 0.0) out(%z[b, c]) init 0.0 : f32 : memref<8x3xf32>, memref<8x3xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}
